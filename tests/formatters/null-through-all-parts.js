//# decoder
function Decoder(bytes, port) { return { a: null, list: [null, bytes[0]], deep: { b: null } }; }
//# converter
function Converter(d, port) { d.c = d.list[0] === undefined; return d; }
//# validator
function Validator(c, port) { return c.a === undefined && c.deep.b === undefined && c.c; }
//# up 1 07 => {"a":null,"c":true,"deep":{"b":null},"list":[null,7]}
