//# decoder
var state = { n: 0 };
function Decoder(bytes, port) { state.n += bytes[0]; state.self = 'decoder'; return state; }
//# converter
function Converter(d, port) { return { n: d.n, same: typeof state, self: d.self }; }
//# up 1 05 => {"n":5,"same":"undefined","self":"decoder"}
