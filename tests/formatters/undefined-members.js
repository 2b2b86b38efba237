//# decoder
function Decoder(bytes, port) {
  return { a: bytes[0], b: bytes[1], c: bytes[2], list: [bytes[0], bytes[9], 3], deep: { x: bytes[7] } };
}
//# up 1 01 => {"a":1,"deep":{},"list":[1,null,3]}
//# up 1 010203 => {"a":1,"b":2,"c":3,"deep":{},"list":[1,null,3]}
