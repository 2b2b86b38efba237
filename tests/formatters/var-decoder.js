//# decoder
var Decoder = function Decoder(bytes, port) {
  return { n: bytes.length, last: bytes[bytes.length - 1] };
};
//# up 1 0102ff => {"last":255,"n":3}
