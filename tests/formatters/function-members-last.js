//# decoder
function Decoder(bytes, port) { return { a: 1, f: function () { return 2; } }; }
//# up 1 00 => {"a":1,"f":{}}
