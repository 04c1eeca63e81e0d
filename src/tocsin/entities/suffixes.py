"""Names of hosts and names of files: which ending makes which.

Top-level domains come from the public suffix list that ships with publicsuffixlist; nothing is fetched.
"""

import functools

import idna
from publicsuffixlist import PublicSuffixList


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


LONGEST_NAME = 253
LONGEST_LABEL = 63

EXTENSIONS = _words(
    """7z ace arg arj bz2 cab deb gz iso jar lz lz4 lzma pkg rar rpm tar tbz tgz txz war ear whl xz z zip zst 7zip
    aif aiff flac m4a mid midi mp3 ogg wav wma 3g2 3gp avi flv h264 m4v mkv mov mp4 mpg mpeg vob webm wmv
    apk appx appimage bat bin bpl cgi cmd cpl dll dmg drv dylib elf exe gadget hta img ipa jse jnlp ko lnk mht mhtml
    msi msix msp mst ocx pif ps ps1 ps1xml psd1 psm1 reg scf scr sct sh so sys vb vbe vbs vhd vhdx vmdk wsc wsf wsh xll
    cer crt csr der gpg asc key p12 p7b p7s pem pfx pub kdbx ovpn
    csv dat db dbf dmp evt evtx log mdb accdb ndjson parquet pcap pcapng sql sqlite sqlite3 xml xsl xslt yaml yml json
    jsonl toml eml ics msg mbox nsf ost oft pst vcf
    fnt fon otf ttf woff woff2 bmp gif ico jfif jpeg jpg png psd svg tif tiff webp
    ashx asmx asp aspx cfm css htm html inc js jsp jspx jsx mjs part php php3 php5 php7 phtml rss shtml swf ts tsx vue
    wasm xhtml doc docm docx dot dotm dotx hwp ods odp odt one pdf pot potm pps ppsm ppsx ppt pptm pptx pub rtf tex txt
    wpd xla xlam xls xlsb xlsm xlsx xltm xps md rst
    c cc cpp cs cxx go h hpp java jse kt lua m4 php pl pm py pyc pyd pyo pyw r rb rs scala sln swift vcxproj
    bak bk cfg conf config dsc ini inf iqy lock manifest old orig pid properties rdp sav settings slk swp temp tmp
    url vbox vmx torrent chm hlp plist service socket timer crdownload download"""
)
"""Endings of files, SCOT's among them."""

FILE_FIRST = _words("cab inc java md mov ps pub py rs sh so zip")
"""Top-level domains too, but a file unless something says host: a URL, a mail address, `www.`, a slash behind it, a
defanged dot, a public suffix of two labels (`co.rs`)."""

HOST_FIRST = _words("ai am app cat cc com docs download in la mk ml one pl pm st tf")
"""Endings of files too, but a host unless it stands in a path or begins with one of `STEMS`."""

STEMS = _words(
    """admin backup build checks config configure cron document index install invoice loader main makefile readme rules
    run script setup start test tests update upload"""
)
BACKSLASH_ONLY = frozenset(("com",))
"""A slash before it says nothing: URLs and Unix paths hold host names."""

FIELDS = _words(
    """agent client cloud container data dataset destination dest device dns email error event file geo group host http
    image item log message module network node object obj observer org organization os package parent pod policy process
    registry result rule self server service session source src sys target task this threat tls type url user users
    vulnerability window x509"""
)
"""`user.name`, `event.id`, `self.id`: names of fields, no hosts."""
FIELD_ENDINGS = _words("name id is info domain network group email host url")
NAMESPACES = frozenset(("system", "microsoft", "windows"))
"""`System.IO`, `Microsoft.Win32.Network`: names of classes, where every part is capitalised."""
PLAIN_ENDINGS = frozenset(("com", "net", "org"))
"""`example.Com` is a name, `done.In` the end of a sentence and the beginning of the next."""


@functools.cache
def _list() -> PublicSuffixList:
    return PublicSuffixList(accept_unknown=False, only_icann=True)


def is_registrable(name: str) -> bool:
    """Whether a plain lower-case name stands below a public suffix."""
    # What is below a registrable name is registrable: hosts of one domain ask the list once.
    return _is_registrable(name.partition(".")[2]) or _is_registrable(name)


@functools.lru_cache(16384)
def _is_registrable(name: str) -> bool:
    return "." in name and _list().privatesuffix(name) is not None


@functools.lru_cache(16384)
def suffix_length(name: str) -> int:
    """How many labels the public suffix of a name has."""
    suffix = _list().publicsuffix(name)
    return suffix.count(".") + 1 if suffix else 0


def ascii_name(name: str) -> str:
    """A host name in its one form, lower case with international labels in punycode (RFC 5891), or ""."""
    if not name.isascii():
        if len(name) > LONGEST_NAME:
            return ""
        try:
            name = idna.encode(name, uts46=True, transitional=False).decode("ascii")
        except (idna.IDNAError, UnicodeError):
            return ""
    name = name.lower()
    return name if _well_formed(name) else ""


def _well_formed(name: str) -> bool:
    if not name or len(name) > LONGEST_NAME or ".." in name or name[0] in ".-" or name[-1] in ".-":
        return False
    if "-" in name and ("-." in name or ".-" in name):
        return False
    if len(name) > LONGEST_LABEL and max(map(len, name.split("."))) > LONGEST_LABEL:
        return False
    return "_" not in name or not any("_" in label for label in name.split(".")[-2:])


def domain(name: str, suffixes: frozenset[str]) -> str:
    """The domain of a plain dotted name below a public suffix or one of `suffixes`, in its one form, or ""."""
    name = ascii_name(name)
    if not name or "." not in name:
        return ""
    if is_registrable(name):
        return name
    return name if any(name.endswith("." + suffix) for suffix in suffixes) else ""
