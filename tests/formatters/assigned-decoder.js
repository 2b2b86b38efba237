//# decoder
Decoder = function (bytes, port) { return { sum: bytes.reduce(function (a, b) { return a + b; }, 0) }; };
//# up 1 0102ff => {"sum":258}
//# up 1 => {"sum":0}
