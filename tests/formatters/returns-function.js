//# decoder
function Decoder(bytes, port) {
  var f = function () { return 1; };
  f.version = bytes[0];
  return f;
}
//# up 1 04 => {"version":4}
