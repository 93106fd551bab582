#!/usr/bin/python3
"""Makes a folder of images with everything in it that goes wrong in real ones, for the check of this example.

    make_hostile_folder.py NEW_FOLDER
"""

import os
import socket
import struct
import sys
import zlib

from PIL import Image


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def bomb():
    """A small file that claims to be 60,000 × 60,000 pixels."""
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000)))
            + chunk(b"IEND", b""))


def main():
    root = os.fsencode(sys.argv[1])
    os.mkdir(root)

    def path(name):
        return os.path.join(root, name)

    def put(name, content):
        with open(path(name), "wb") as file:
            file.write(content)

    def get(name):
        with open(path(name), "rb") as file:
            return file.read()

    for number in range(60):  # different pictures: sizes, shapes, colours, transparency
        colour = (number * 4 % 256, number * 37 % 256, number * 91 % 256, 255 if number % 3 else 100 + number)
        Image.new("RGBA", (8 + number * 3, 8 + number % 7 * 20), colour).save(os.fsdecode(path(b"p%02d.png" % number)))
    for number, kind in enumerate(["JPEG", "GIF", "WEBP", "TIFF"]):
        Image.new("RGB", (40, 30), (200, 30 * number, 10)).save(os.fsdecode(path(b"other%d" % number)), kind)

    picture = get(b"p00.png")
    put(b"copy of p00.png", picture)
    put(b"new\nline.png", picture)
    put(b"not-utf8-\xff\xfe.png", picture)
    put(b"back\\slash \x1b[31m.png", picture)
    put("größe-日本.png".encode(), get(b"p01.png"))
    put(b"-rf", get(b"p02.png"))
    put(b"picture without extension", get(b"p03.png"))

    put(b"empty.png", b"")
    put(b"text.png", b"this is no picture\n")
    put(b"truncated.png", picture[:len(picture) // 2])
    put(b"header only.jpg", b"\xff\xd8\xff\xe0")
    put(b"bomb.png", bomb())
    put(b"drawing.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>")
    put(b"unreadable.png", picture)
    os.chmod(path(b"unreadable.png"), 0)
    os.mkfifo(path(b"pipe.png"))
    with socket.socket(socket.AF_UNIX) as listener:
        os.chdir(root)  # a socket's address is short
        listener.bind(b"socket.png")

    os.mkdir(b"deep")
    os.symlink(b"..", b"deep/loop")
    os.symlink(b"p00.png", b"link.png")
    os.symlink(b"nowhere", b"dangling.png")
    os.makedirs(b"/".join([b"d"] * 60))
    put_deep = os.path.join(b"/".join([b"d"] * 60), b"deep.png")
    with open(put_deep, "wb") as file:
        file.write(get(os.path.abspath(b"p04.png")))


main()
