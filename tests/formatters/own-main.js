//# decoder
function main(b) { return b[0]; }
function ttnv2Copy() { return 'mine'; }
var console = { log: function () { return 1; } };
function Decoder(bytes, port) { return { v: main(bytes), w: ttnv2Copy(), c: console.log('x') }; }
//# up 1 0d => {"c":1,"v":13,"w":"mine"}
