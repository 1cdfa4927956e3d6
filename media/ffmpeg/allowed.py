"""What ffmpeg may open and decode. Everything else is refused on its command line (promise S2)."""

PROTOCOLS = ("file", "pipe")

# Demuxers by their own names. No playlists, no image sequences, no GIF, no script formats.
FORMATS = (
    *("mov", "mp4", "m4a", "3gp", "3g2", "mj2", "matroska", "webm", "avi", "flv", "asf", "mpeg", "mpegts", "ogg"),
    *("mp3", "aac", "flac", "wav", "aiff", "ac3", "amr", "mxf"),
)

# Decoders by their own names. Old and rare ones are left out: they are where the holes are.
VIDEO_DECODERS = (
    *("h264", "hevc", "vp8", "vp9", "libdav1d", "libaom-av1", "av1", "mpeg4", "mpeg2video", "mpeg1video", "mjpeg"),
    *("theora", "wmv3", "vc1", "msmpeg4", "prores", "dvvideo", "h263", "flv"),
)
AUDIO_DECODERS = (
    *("aac", "mp3float", "mp3", "mp2float", "mp2", "ac3", "eac3", "vorbis", "opus", "libopus", "flac", "alac"),
    *("wmav2", "amrnb", "amrwb", "pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be", "pcm_s32le", "pcm_s32be"),
    *("pcm_f32le", "pcm_f64le", "pcm_u8", "pcm_alaw", "pcm_mulaw"),
)
# ffprobe opens a decoder for every stream, and refuses the whole file if one is not allowed. Nothing is decoded.
TEXT_DECODERS = ("webvtt", "srt", "subrip", "mov_text", "ass", "ssa", "text")
DECODERS = (*VIDEO_DECODERS, *AUDIO_DECODERS)

# ffprobe names a stream by its codec, which for some differs from the decoder's name.
_CODECS_OF_DECODERS = {"libdav1d": "av1", "libaom-av1": "av1", "mp3float": "mp3", "mp2float": "mp2", "libopus": "opus",
                       "amrnb": "amr_nb", "amrwb": "amr_wb", "msmpeg4": "msmpeg4v3", "flv": "flv1"}  # fmt: skip
VIDEO_CODECS = frozenset(_CODECS_OF_DECODERS.get(name, name) for name in VIDEO_DECODERS)
AUDIO_CODECS = frozenset(_CODECS_OF_DECODERS.get(name, name) for name in AUDIO_DECODERS)

SOURCE_OPTIONS = {
    "protocol_whitelist": ",".join(PROTOCOLS),
    "format_whitelist": ",".join(FORMATS),
    "codec_whitelist": ",".join(DECODERS),
}
PROBE_OPTIONS = {**SOURCE_OPTIONS, "codec_whitelist": ",".join((*DECODERS, *TEXT_DECODERS))}
# For files that we wrote ourselves.
OWN_OPTIONS = {
    "protocol_whitelist": ",".join(PROTOCOLS),
    "format_whitelist": "mov,mp4,m4a,3gp,3g2,mj2,flac,webvtt",
    "codec_whitelist": "h264,libdav1d,aac,flac,webvtt",
}
