//# decoder
function Decoder(bytes, port) {
  var all = [1.5, 'text', true, undefined, NaN, null];
  return all[bytes[0]];
}
//# up 1 00 => error
//# up 1 01 => error
//# up 1 02 => error
//# up 1 03 => error
//# up 1 04 => error
//# up 1 05 => error
