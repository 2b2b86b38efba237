//# decoder
function Decoder(bytes, port) {
  var decoded = {};
  decoded.temp = bytes[0];
}
//# up 1 10 => error
