//# decoder
function Decoder(bytes, port) {
  var out = {}, i = 0;
  while (i < bytes.length) {
    var type = bytes[i++];
    var len = bytes[i++];
    var value = bytes.slice(i, i + len);
    i += len;
    switch (type) {
      case 0x01: out.temp = (value[0] << 24 >> 16 | value[1]) / 10; break;
      case 0x02: out.hum = value[0]; break;
      case 0x10: out.label = String.fromCharCode.apply(null, value); break;
      default: (out.unknown = out.unknown || []).push({ type: type, data: value });
    }
  }
  return out;
}
//# up 1 0102fff60201321003666f6f => {"hum":50,"label":"foo","temp":-1}
//# up 1 7f020102800100 => {"unknown":[{"data":[1,2],"type":127},{"data":[0],"type":128}]}
//# up 1 01 => {"temp":0}
