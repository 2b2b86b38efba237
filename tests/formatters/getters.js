//# decoder
function Decoder(bytes, port) { return { get doubled() { return bytes[0] * 2; }, raw: bytes[0] }; }
//# converter
function Converter(d, port) { return { doubled: d.doubled, isData: 'value' in Object.getOwnPropertyDescriptor({ doubled: d.doubled }, 'doubled') }; }
//# up 1 08 => {"doubled":16,"isData":true}
