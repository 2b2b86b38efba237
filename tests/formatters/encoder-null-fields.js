//# encoder
function Encoder(o, port) { return [o.a === undefined ? 1 : 2, o.a === null ? 1 : 2, 'a' in o ? 1 : 2, o.b.c === undefined ? 1 : 2]; }
//# down 1 {"a":null,"b":{"c":null}} => {"bytes":[1,2,1,1],"fPort":1}
//# down 1 {"b":{"d":1}} => {"bytes":[1,2,2,1],"fPort":1}
