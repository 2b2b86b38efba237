//# decoder
function Decoder(bytes, port) {
  var text = '';
  for (var i = 0; i < bytes.length; i++) text += String.fromCharCode(bytes[i]);
  var parts = text.replace(/\0/g, '').split(/[,;]/);
  return { temperature: parseFloat(parts[0]), id: parts[1] || 'none', n: parts.length };
}
//# up 1 32312e352c61623b78 => {"id":"ab","n":3,"temperature":21.5}
//# up 1 34320000 => {"id":"none","n":1,"temperature":42}
//# up 1 78 => error
