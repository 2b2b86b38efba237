//# decoder
function Decoder(bytes, port) { return JSON.parse(String.fromCharCode.apply(String, bytes)); }
//# up 1 7b2261223a5b312c7b2262223a6e756c6c7d5d7d => {"a":[1,{"b":null}]}
//# up 1 5b315d => error
//# up 1 7b => error
