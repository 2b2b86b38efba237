//# converter
function Converter(decoded, port) { return { got: typeof decoded, x: decoded.x === undefined, port: port }; }
//# up 4 00 => {"got":"object","port":4,"x":true}
