//# decoder
function Decoder(bytes, port) { return port === 1 ? new String('ab') : port === 2 ? new Number(3) : new Boolean(true); }
//# up 1 00 => {"0":"a","1":"b"}
//# up 2 00 => {}
//# up 3 00 => {}
