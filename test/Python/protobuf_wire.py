"""Protobuf's wire format, as much as ONNX files need: no package is required."""


def read_varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def write_varint(value):
    result = bytearray()
    while value > 0x7F:
        result.append(value & 0x7F | 0x80)
        value >>= 7
    result.append(value)
    return bytes(result)


def fields(data):
    """Yields (field number, value): an int, or the bytes of a length-delimited or fixed-size field."""
    at = 0
    while at < len(data):
        tag, at = read_varint(data, at)
        number, kind = tag >> 3, tag & 7
        if kind == 0:
            value, at = read_varint(data, at)
        else:
            size, at = read_varint(data, at) if kind == 2 else ({5: 4, 1: 8}[kind], at)
            value, at = data[at:at + size], at + size
        yield number, value


def message(number, payload):
    """A length-delimited field."""
    return write_varint(number << 3 | 2) + write_varint(len(payload)) + payload


def varints(value):
    """The numbers of a repeated field, packed or not."""
    if isinstance(value, int):
        return [value]
    numbers, at = [], 0
    while at < len(value):
        number, at = read_varint(value, at)
        numbers.append(number)
    return numbers


def signed(number):
    return number - (1 << 64) if number >> 63 else number
