//# decoder
function u16(b, i) { return b[i] + (b[i + 1] << 8); }
function s32(b, i) { return b[i] | (b[i + 1] << 8) | (b[i + 2] << 16) | (b[i + 3] << 24); }
function Decoder(bytes, port) {
  return { pressure: u16(bytes, 0) / 10, altitude: s32(bytes, 2) / 1000, counter: (bytes[6] | bytes[7] << 8 | bytes[8] << 16 | bytes[9] << 24) >>> 0 };
}
//# up 2 9427ffffffffffffffff => {"altitude":-0.001,"counter":4294967295,"pressure":1013.2}
//# up 2 00000000000000000000 => {"altitude":0,"counter":0,"pressure":0}
