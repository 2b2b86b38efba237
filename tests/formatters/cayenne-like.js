//# decoder
function Decoder(bytes, port) {
  var sizes = { 0: 1, 1: 1, 2: 2, 103: 2, 104: 1, 113: 6, 136: 9 };
  var fields = {};
  for (var i = 0; i < bytes.length;) {
    var channel = bytes[i++], type = bytes[i++];
    if (!(type in sizes)) throw new Error('unknown type ' + type);
    var d = bytes.slice(i, i + sizes[type]);
    i += sizes[type];
    var s16 = function (o) { var v = d[o] << 8 | d[o + 1]; return v > 0x7fff ? v - 0x10000 : v; };
    var s24 = function (o) { var v = d[o] << 16 | d[o + 1] << 8 | d[o + 2]; return v > 0x7fffff ? v - 0x1000000 : v; };
    if (type === 103) fields['temperature_' + channel] = s16(0) / 10;
    else if (type === 104) fields['relative_humidity_' + channel] = d[0] / 2;
    else if (type === 136) fields['gps_' + channel] = { latitude: s24(0) / 10000, longitude: s24(3) / 10000, altitude: s24(6) / 100 };
    else if (type === 113) fields['accelerometer_' + channel] = { x: s16(0) / 1000, y: s16(2) / 1000, z: s16(4) / 1000 };
    else fields['value_' + channel] = d[0];
  }
  return fields;
}
//# up 1 03670110056700ff => {"temperature_3":27.2,"temperature_5":25.5}
//# up 1 018806765ff2960a0003e8 => {"gps_1":{"altitude":10,"latitude":42.3519,"longitude":-87.9094}}
//# up 1 067104d2fb2e0000 => {"accelerometer_6":{"x":1.234,"y":-1.234,"z":0}}
//# up 1 01ff00 => error
