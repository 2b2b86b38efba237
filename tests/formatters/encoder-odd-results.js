//# encoder
function Encoder(o, port) {
  switch (o.kind) {
    case 'string': return 'abc';
    case 'object': return { 0: 1, length: 1 };
    case 'number': return 5;
    case 'sparse': var a = [1]; a[4] = 2; return a;
    case 'given': return o.list;
    case 'empty': return [];
    case 'nan': return [0 / 0];
    case 'infinite': return [1 / 0];
    case 'zero': return [-0];
    case 'boxed': return [new Number(3)];
    case 'throws': throw new RangeError('no such command');
  }
}
//# down 1 {"kind":"string"} => error
//# down 1 {"kind":"object"} => error
//# down 1 {"kind":"number"} => error
//# down 1 {"kind":"sparse"} => {"bytes":[1,2],"fPort":1}
//# down 1 {"kind":"given","list":[1,2,255]} => {"bytes":[1,2,255],"fPort":1}
//# down 1 {"kind":"given","list":[1,"2"]} => error
//# down 1 {"kind":"empty"} => {"bytes":[],"fPort":1}
//# down 1 {"kind":"nan"} => error
//# down 1 {"kind":"infinite"} => error
//# down 1 {"kind":"zero"} => {"bytes":[0],"fPort":1}
//# down 1 {"kind":"boxed"} => error
//# down 1 {"kind":"throws"} => error
