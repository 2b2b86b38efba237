//# decoder
function scale(x) { return x / 10; }
var offset = 40;
function Decoder(bytes, port) { return { t: scale(bytes[0]) - offset }; }
//# converter
function scale(x) { return x * 1.8 + 32; }
var offset = 0;
function Converter(decoded, port) { return { f: scale(decoded.t) + offset }; }
//# validator
function scale(x) { return x > 0; }
var offset = 'none';
function Validator(converted, port) { return scale(converted.f) && offset === 'none'; }
//# up 1 ff => {"f":5.899999999999999}
//# up 1 00 => refused
