//# decoder
function Decoder(bytes, port) {
  var first = bytes.shift();
  bytes.reverse();
  return { first: first, rest: bytes, n: payload.length, isArray: Array.isArray(bytes) };
}
//# up 1 010203 => {"first":1,"isArray":true,"n":3,"rest":[3,2]}
