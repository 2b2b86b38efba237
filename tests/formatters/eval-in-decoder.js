//# decoder
var formula = 'b[0] * 2 + 1';
function Decoder(bytes, port) { return { v: new Function('b', 'return ' + formula)(bytes), w: eval('bytes[0] + port') }; }
//# up 3 0a => {"v":21,"w":13}
