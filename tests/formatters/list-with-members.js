//# decoder
function Decoder(bytes, port) { var l = [1, 2]; l.name = 'list'; return { l: l, m: 'abc'.match(/b/) }; }
//# up 1 00 => {"l":[1,2],"m":["b"]}
