//# decoder
function float(b) {
  var bits = b[0] << 24 | b[1] << 16 | b[2] << 8 | b[3];
  var sign = bits >>> 31 === 0 ? 1.0 : -1.0, e = bits >>> 23 & 0xff;
  var m = e === 0 ? (bits & 0x7fffff) << 1 : bits & 0x7fffff | 0x800000;
  return sign * m * Math.pow(2, e - 150);
}
function Decoder(bytes, port) { return { value: float(bytes), rounded: Math.round(float(bytes) * 100) / 100 }; }
//# up 1 41c80000 => {"rounded":25,"value":25}
//# up 1 c2f6e979 => {"rounded":-123.46,"value":-123.45600128173828}
//# up 1 00000000 => {"rounded":0,"value":0}
