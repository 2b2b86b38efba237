//# decoder
var Decoder = (function () {
  var names = ['idle', 'run', 'fault'];
  function name(i) { return names[i] || 'state ' + i; }
  return function (bytes, port) { return { state: name(bytes[0]) }; };
}());
//# up 1 02 => {"state":"fault"}
//# up 1 09 => {"state":"state 9"}
