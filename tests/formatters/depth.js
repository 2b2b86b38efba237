//# decoder
function down(n) { return n === 0 ? 0 : 1 + down(n - 1); }
function Decoder(bytes, port) { return { n: down(bytes[0]) }; }
//# up 1 05 => {"n":5}
//# up 1 14 => {"n":20}
//# up 1 40 => error
