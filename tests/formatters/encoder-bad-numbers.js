//# encoder
function Encoder(o, port) { return [1, o.v, 3]; }
//# down 1 {"v":1.5} => error
//# down 1 {"v":-1} => error
//# down 1 {"v":255} => {"bytes":[1,255,3],"fPort":1}
//# down 1 {"v":256} => error
//# down 1 {"v":1e300} => error
//# down 1 {"v":"7"} => error
//# down 1 {"v":null} => error
//# down 1 {"v":true} => error
//# down 1 {"v":[1]} => error
//# down 1 {} => error
