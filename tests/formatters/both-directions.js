//# decoder
var SCALE = 10;
function Decoder(bytes, port) { return { setpoint: bytes[0] / SCALE }; }
//# converter
function Converter(d, port) { return { setpoint: d.setpoint, unit: 'C' }; }
//# validator
function Validator(c, port) { return c.setpoint < 25; }
//# encoder
var SCALE = 20;
function Encoder(o, port) { return [o.setpoint * SCALE]; }
//# up 1 c8 => {"setpoint":20,"unit":"C"}
//# up 1 ff => refused
//# down 1 {"setpoint":10.5} => {"bytes":[210],"fPort":1}
//# down 1 {"setpoint":10.01} => error
