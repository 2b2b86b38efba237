//# decoder
function Reading(bytes) { this.raw = bytes[0]; }
Reading.prototype.unit = 'C';
function Decoder(bytes, port) { return new Reading(bytes); }
//# up 1 e1 => {"raw":225}
