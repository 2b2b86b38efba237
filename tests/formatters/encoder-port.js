//# encoder
var commands = { reboot: [0xff, 0x01], ping: [0x00] };
function Encoder(o, port) { return (commands[o.command] || []).concat(port, payload.extra || 0); }
//# down 15 {"command":"reboot"} => {"bytes":[255,1,15,0],"fPort":15}
//# down 1 {"command":"ping","extra":9} => {"bytes":[0,1,9],"fPort":1}
//# down 1 {"command":"none"} => {"bytes":[1,0],"fPort":1}
