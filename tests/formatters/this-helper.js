//# decoder
this.helper = function (x) { return x + 1; };
function Decoder(bytes, port) { return { v: helper(bytes[0]) }; }
//# up 1 15 => {"v":22}
