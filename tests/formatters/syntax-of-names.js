//# decoder
var $ = function (x) { return x; }, _priv = 1, größe = 2;
function Decoder(bytes, port) { var undefined; return { "with space": $(1), 'ключ': _priv, 7: größe, 'a.b': { '': 1 } }; }
//# up 1 00 => {"7":2,"a.b":{"":1},"with space":1,"ключ":1}
