"""The example sessions of RFC 8448: simple 1-RTT handshake (§3) and resumed 0-RTT handshake (§4)."""

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from evidence_desk.core.capture.stream import Direction
from evidence_desk.core.digests import sha256
from tests.unit.wacz.tls.ends import Flight, decode, said
from tests.unit.wacz.tls.forge import IN, OUT, Key

FIFTY = bytes(range(50))


def flights(*records: tuple[Direction, str]) -> list[Flight]:
    return [
        (direction, 1000 + number, bytes.fromhex(data)) for number, (direction, data) in enumerate(records)
    ]


CLIENT_RANDOM = "cb34ecb1e78163ba1c38c6dacb196a6dffa21a8d9912ec18a2ef6283024dece7"
SECRETS = f"""\
CLIENT_HANDSHAKE_TRAFFIC_SECRET {CLIENT_RANDOM} b3eddb126e067f35a780b3abf45e2d8f3b1a950738f52e9600746a0e27a55a21
SERVER_HANDSHAKE_TRAFFIC_SECRET {CLIENT_RANDOM} b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38
CLIENT_TRAFFIC_SECRET_0 {CLIENT_RANDOM} 9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5
SERVER_TRAFFIC_SECRET_0 {CLIENT_RANDOM} a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643
""".encode()
CLIENT_HELLO = (
    "16030100c4010000c00303"
    + CLIENT_RANDOM
    + "000006130113031302010000910000000b0009000006736572766572ff01000100000a"
    "00140012001d0017001800190100010101020103010400230000003300260024001d002099381de560e4bd43d23d8e435a7dbafeb3c06e51c1"
    "3cae4d5413691e529aaf2c002b0003020304000d0020001e040305030603020308040805080604010501060102010402050206020202002d00"
    "020101001c00024001"
)
SERVER_HELLO = (
    "160303005a020000560303a6af06a4121860dc5e6e60249cd34c95930c8ac5cb1434dac155772ed3e2692800130100002e00330024001d0020"
    "c9828876112095fe66762bdbf7c672e156d6cc253b833df1dd69b1b04e751f0f002b00020304"
)
SERVER_FLIGHT = (
    "17030302a2d1ff334a56f5bff6594a07cc87b580233f500f45e489e7f33af35edf7869fcf40aa40aa2b8ea73f848a7ca07612ef9f945cb960b"
    "4068905123ea78b111b429ba9191cd05d2a389280f526134aadc7fc78c4b729df828b5ecf7b13bd9aefb0e57f271585b8ea9bb355c7c790207"
    "16cfb9b1183ef3ab20e37d57a6b9d7477609aee6e122a4cf51427325250c7d0e509289444c9b3a648f1d71035d2ed65b0e3cdd0cbae8bf2d0b"
    "227812cbb360987255cc744110c453baa4fcd610928d809810e4b7ed1a8fd991f06aa6248204797e36a6a73b70a2559c09ead686945ba246ab"
    "66e5edd8044b4c6de3fcf2a89441ac66272fd8fb330ef8190579b3684596c960bd596eea520a56a8d650f563aad27409960dca63d3e688611e"
    "a5e22f4415cf9538d51a200c27034272968a264ed6540c84838d89f72c24461aad6d26f59ecaba9acbbb317b66d902f4f292a36ac1b639c637"
    "ce343117b659622245317b49eeda0c6258f100d7d961ffb138647e92ea330faeea6dfa31c7a84dc3bd7e1b7a6c7178af36879018e3f252107f"
    "243d243dc7339d5684c8b0378bf30244da8c87c843f5e56eb4c5e8280a2b48052cf93b16499a66db7cca71e4599426f7d461e66f99882bd89f"
    "c50800becca62d6c74116dbd2972fda1fa80f85df881edbe5a37668936b335583b599186dc5c6918a396fa48a181d6b6fa4f9d62d513afbb99"
    "2f2b992f67f8afe67f76913fa388cb5630c8ca01e0c65d11c66a1e2ac4c85977b7c7a6999bbf10dc35ae69f5515614636c0b9b68c19ed2e31c"
    "0b3b66763038ebba42f3b38edc0399f3a9f23faa63978c317fc9fa66a73f60f0504de93b5b845e275592c12335ee340bbc4fddd502784016e4"
    "b3be7ef04dda49f4b440a30cb5d2af939828fd4ae3794e44f94df5a631ede42c1719bfdabf0253fe5175be898e750edc53370d2b"
)
CLIENT_FINISHED = "170303003575ec4dc238cce60b298044a71e219c56cc77b0517fe9b93c7a4bfc44d87f38f80338ac98fc46deb384bd1caeacab6867d726c40546"
CLIENT_DATA = (
    "1703030043a23f7054b62c94d0affafe8228ba55cbefacea42f914aa66bcab3f2b9819a8a5b46b395bd54a9a20441e2b62974e1f5a6292a297"
    "7014bd1e3deae63aeebb21694915e4"
)
SERVER_DATA = (
    "17030300432e937e11ef4ac740e538ad36005fc4a46932fc3225d05f82aa1b36e30efaf97d90e6dffc602dcb501a59a8fcc49c4bf2e5f0a21c"
    "0047c2abf332540dd032e167c2955d"
)


TICKET = (
    "2c035d829359ee5ff7af4ec900000000262a6494dc486d2c8a34cb33fa90bf1b0070ad3c498883c9367c09a2be785abc55cd226097a3a98211"
    "7283f82a03a143efd3ff5dd36d64e861be7fd61d2827db279cce145077d454a3664d4e6da4d29ee03725a6a4dafcd0fc67d2aea70529513e3d"
    "a2677fa5906c5b3f7d8f92f228bda40dda721470f9fbf297b5aea617646fac5c03272e970727c621a79141ef5f7de6505e5bfbc388e9334369"
    "4093934ae4d357"
)
NEW_TICKET = f"040000c90000001efad6aac502000000b2{TICKET}0008002a000400000400"
SERVER_KEY, SERVER_IV = "9f02283b6c9c07efc26bb9f2ac92e356", "cf782b88dd83549aadf1e984"
CLOSES = (
    (OUT, "1703030013c9872760655666b74d7ff1153efd6db6d0b0e3"),
    (IN, "1703030013b58fd67166ebf599d24720cfbe7efa7a8864a9"),
)


def test_simple_handshake():
    header = bytes.fromhex("17030300de")
    sealed = AESGCM(bytes.fromhex(SERVER_KEY)).encrypt(
        bytes.fromhex(SERVER_IV), bytes.fromhex(NEW_TICKET) + b"\x16", header
    )
    session = flights(
        (OUT, CLIENT_HELLO), (IN, SERVER_HELLO), (IN, SERVER_FLIGHT), (OUT, CLIENT_FINISHED),
        (IN, (header + sealed).hex()), (OUT, CLIENT_DATA), (IN, SERVER_DATA), *CLOSES,
    )  # fmt: skip
    plain, facts = decode(session, SECRETS)
    assert said(plain, OUT) == said(plain, IN) == FIFTY
    assert facts.faults == ()
    assert facts.complete
    assert facts.ended == facts.ended_client == "close_notify"
    assert (facts.suite, facts.group, facts.sni) == ("TLS_AES_128_GCM_SHA256", "x25519", "server")
    assert facts.certificate_verify is not None
    assert facts.certificate_verify.scheme_name == "rsa_pss_rsae_sha256"
    assert facts.certificate_verify.status == "valid"
    assert len(facts.certificates) == 1
    assert facts.issued == (sha256(bytes.fromhex(TICKET)),)


AGAIN_RANDOM = "1bc3ceb6bbe39cff938355b5a50adb6db21b7a6af649d7b4bc419d7876487d95"
AGAIN_SECRETS = f"""\
CLIENT_EARLY_TRAFFIC_SECRET {AGAIN_RANDOM} 3fbbe6a60deb66c30a32795aba0eff7eaa10105586e7be5c09678d63b6caab62
CLIENT_HANDSHAKE_TRAFFIC_SECRET {AGAIN_RANDOM} 2faac08f851d35fea3604fcb4de82dc62c9b164a70974d0462e27f1ab278700f
SERVER_HANDSHAKE_TRAFFIC_SECRET {AGAIN_RANDOM} fe927ae271312e8bf0275b581c54eef020450dc4ecffaa05a1a35d27518e7803
CLIENT_TRAFFIC_SECRET_0 {AGAIN_RANDOM} 2abbf2b8e381d23dbebe1dd2a7d16a8bf484cb4950d23fb7fb7fa8547062d9a1
SERVER_TRAFFIC_SECRET_0 {AGAIN_RANDOM} cc21f1bf8feb7dd5fa505bd9c4b468a9984d554a993dc49e6d285598fb672691
""".encode()
AGAIN_HELLO = (
    "1603010200010001fc0303"
    + AGAIN_RANDOM
    + "000006130113031302010001cd0000000b0009000006736572766572ff01000100000a00"
    "140012001d00170018001901000101010201030104003300260024001d0020e4ffb68ac05f8d96c99da26698346c6be16482badddafe051a66"
    "b4f18d668f0b002a0000002b0003020304000d0020001e040305030603020308040805080604010501060102010402050206020202002d0002"
    "0101001c0002400100150057"
    + "00"
    * 87
    + f"002900dd00b800b2{TICKET}fad6aacb0021203add4fb2d8fdf822a0ca3cf7678ef5e8"
    "8dae990141c5924d57bb6fa31b9e5f9d"
)
AGAIN_SERVER_HELLO = (
    "16030300600200005c03033ccfd2dec890222763472ae8136777c9d7358777bb66e91ea5122495f559ea2d00130100003400290002000000330024"
    "001d0020121761ee42c333e1b9e77b60dd57c2053cd94512ab47f115e86eff50942cea31002b00020304"
)
AGAIN_FLIGHT = (
    "080000280026000a00140012001d00170018001901000101010201030104001c0002400100000000002a00001400002048d3e0e1b3d907c6acff"
    "145e16090388c77b05c050b634ab1a88bbd0dd1a34b2"
)
AGAIN_FINISHED = "140000207230a9c952c25cd6138fc5e6628308c41c5335dd81b9f96bcea50fd32bda416d"


def test_resumed_handshake_with_early_data():
    """The published messages under the published secrets; the records are sealed here."""
    early, client, server, client_data, server_data = (
        Key(0x1301, bytes.fromhex(line.split()[2])) for line in AGAIN_SECRETS.decode().splitlines()
    )
    session = flights(
        (OUT, AGAIN_HELLO),
        (OUT, early.seal(23, b"ABCDEF").hex()),
        (IN, AGAIN_SERVER_HELLO),
        (IN, server.seal(22, bytes.fromhex(AGAIN_FLIGHT)).hex()),
        (OUT, early.seal(22, b"\5\0\0\0").hex()),
        (OUT, client.seal(22, bytes.fromhex(AGAIN_FINISHED)).hex()),
        (OUT, client_data.seal(23, FIFTY).hex()),
        (IN, server_data.seal(23, FIFTY).hex()),
        (OUT, client_data.seal(21, b"\1\0").hex()),
        (IN, server_data.seal(21, b"\1\0").hex()),
    )
    plain, facts = decode(session, AGAIN_SECRETS)
    assert [piece.data for piece in plain if piece.early] == [b"ABCDEF"]
    assert said(plain, OUT) == b"ABCDEF" + FIFTY
    assert said(plain, IN) == FIFTY
    assert facts.faults == ()
    assert facts.complete
    assert facts.early_data == "accepted"
    assert facts.psk == "psk_dhe_ke"
    assert facts.resumed_from == sha256(bytes.fromhex(TICKET))
    assert facts.ended == facts.ended_client == "close_notify"
