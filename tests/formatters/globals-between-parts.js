//# decoder
var shared = 'decoder';
leaked_by_var = undefined;
function Decoder(bytes, port) { return { v: shared }; }
//# converter
function Converter(d, port) { return { v: d.v, shared: typeof shared }; }
//# up 1 00 => {"shared":"undefined","v":"decoder"}
