//# decoder
function Decoder(bytes, port) {
  return { ratio: bytes[0] / bytes[1], list: [1, bytes[0] / bytes[1]] };
}
//# up 1 0000 => error
//# up 1 0100 => error
//# up 1 0102 => {"list":[1,0.5],"ratio":0.5}
