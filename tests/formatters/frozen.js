//# decoder
function Decoder(bytes, port) { return Object.freeze({ a: 1, b: Object.freeze([1, 2]) }); }
//# converter
function Converter(d, port) { d.a = 2; d.c = 3; d.b[0] = 9; return d; }
//# up 1 00 => {"a":2,"b":[9,2],"c":3}
