//# decoder
var last = { x: 1 };
function Decoder(bytes, port) { return { a: last, b: last, v: bytes[0] }; }
//# converter
function Converter(d, port) { d.a.x = 2; return { a: d.a.x, b: d.b.x }; }
//# up 1 00 => {"a":2,"b":1}
