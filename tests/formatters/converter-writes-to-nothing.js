//# converter
function Converter(decoded, port) { decoded.x = 1; return { y: 2 }; }
//# up 4 00 => error
