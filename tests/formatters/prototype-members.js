//# decoder
function Reading(bytes) { this.raw = bytes[0]; }
Reading.prototype.unit = 'C';
Reading.prototype.value = function () { return this.raw / 10; };
function Decoder(bytes, port) { var r = new Reading(bytes); r.v = r.value(); return r; }
//# converter
function Converter(d, port) { return { unit: d.unit === undefined ? 'lost' : d.unit, method: typeof d.value, v: d.v, own: Object.keys(d).sort().join() }; }
//# up 1 e1 => {"method":"undefined","own":"raw,v","unit":"lost","v":22.5}
