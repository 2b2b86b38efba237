//# decoder
// Counts of the last hours, four bits each, newest first, as many flow meters send them.
function Decoder(bytes, port) {
  var hours = [];
  for (var i = 0; i < bytes.length * 2; i++) {
    var nibble = i % 2 ? bytes[i >> 1] & 0x0f : bytes[i >> 1] >> 4;
    hours.push(nibble === 15 ? null : nibble * 5);
  }
  return { hours: hours, total: hours.reduce(function (a, b) { return a + (b || 0); }, 0) };
}
//# converter
function Converter(d, port) {
  return { total: d.total, missing: d.hours.filter(function (h) { return h == null; }).length, max: Math.max.apply(Math, d.hours.map(Number).filter(isFinite)) };
}
//# up 1 1f20a0 => {"max":50,"missing":1,"total":65}
//# up 1 00 => {"max":0,"missing":0,"total":0}
