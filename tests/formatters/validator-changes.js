//# decoder
function Decoder(bytes, port) { return { v: bytes[0], tmp: 1, list: [1, 2], deep: { a: 1 } }; }
//# validator
function Validator(c, port) { c.checked = true; delete c.tmp; c.list[0] = 7; c.deep.b = c.v; return true; }
//# up 1 09 => {"checked":true,"deep":{"a":1,"b":9},"list":[7,2],"v":9}
