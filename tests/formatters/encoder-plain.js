//# encoder
function Encoder(object, port) {
  var bytes = [];
  bytes[0] = object.led ? 1 : 0;
  bytes[1] = object.interval >> 8 & 0xff;
  bytes[2] = object.interval & 0xff;
  return bytes;
}
//# down 1 {"led":true,"interval":600} => {"bytes":[1,2,88],"fPort":1}
//# down 2 {"led":false} => {"bytes":[0,0,0],"fPort":2}
//# down 0 {} => {"bytes":[0,0,0],"fPort":1}
