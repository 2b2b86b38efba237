//# decoder
function Decoder(bytes, port) {
  var seconds = ((bytes[0] << 24) | (bytes[1] << 16) | (bytes[2] << 8) | bytes[3]) >>> 0;
  var when = new Date(seconds * 1000);
  return { iso: when.toISOString(), hours: when.getHours(), object: when, year: when.getUTCFullYear() };
}
//# converter
function Converter(d, port) { return { iso: d.iso, hours: d.hours, kind: typeof d.object, isDate: d.object instanceof Date, keys: Object.keys(d.object).length, object: d.object }; }
//# up 1 5e0be100 => {"hours":0,"isDate":false,"iso":"2020-01-01T00:00:00.000Z","keys":0,"kind":"object","object":{}}
//# up 1 ffffffff => {"hours":6,"isDate":false,"iso":"2106-02-07T06:28:15.000Z","keys":0,"kind":"object","object":{}}
