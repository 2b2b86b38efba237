//# validator
function Validator(converted, port) { return port !== 7; }
//# up 1 00 => {}
//# up 7 00 => refused
