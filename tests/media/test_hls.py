from media import growing, hls
from media.storyboard import storyboard_vtt

VIDEO = hls.VideoVariant("v.m3u8?a=1", "avc1.64001f", 1280, 720, 25.0, 900_000, 400_000)
AUDIO = hls.AudioVariant("a.m3u8", "mp4a.40.2", 100_000, 96_000, name='So "und"', language="en")


def test_master_names_pictures_with_their_sound_and_text() -> None:
    text = hls.master_playlist(
        video=[VIDEO],
        audio=[AUDIO],
        subtitles=[("ar", "العربية", "ar.m3u8", False), ("fr", "français", "fr.m3u8", True)],
    )
    assert text.splitlines() == [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="sound",NAME="So \'und\'",LANGUAGE="en",DEFAULT=YES,AUTOSELECT=YES,'
        'URI="a.m3u8"',
        '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="text",NAME="العربية",LANGUAGE="ar",DEFAULT=NO,AUTOSELECT=YES,'
        'FORCED=NO,URI="ar.m3u8"',
        '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="text",NAME="français",LANGUAGE="fr",DEFAULT=YES,AUTOSELECT=YES,'
        'FORCED=NO,URI="fr.m3u8"',
        '#EXT-X-STREAM-INF:BANDWIDTH=1000000,AVERAGE-BANDWIDTH=496000,CODECS="avc1.64001f,mp4a.40.2",'
        'RESOLUTION=1280x720,FRAME-RATE=25.000,AUDIO="sound",SUBTITLES="text"',
        "v.m3u8?a=1",
    ]


def test_master_of_sound_alone_has_the_sound_as_its_variant() -> None:
    assert hls.master_playlist(video=[], audio=[AUDIO]).splitlines()[3:] == [
        '#EXT-X-STREAM-INF:BANDWIDTH=100000,AVERAGE-BANDWIDTH=96000,CODECS="mp4a.40.2"',
        "a.m3u8",
    ]


FRENCH = hls.AudioVariant("fr.m3u8", "mp4a.40.2", 90_000, 80_000, name="français", language="fr", is_default=False)


def test_interpreters_can_be_chosen_and_are_not_the_default() -> None:
    lines = hls.master_playlist(video=[VIDEO], audio=[AUDIO, FRENCH]).splitlines()
    assert lines[3:5] == [
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="sound",NAME="So \'und\'",LANGUAGE="en",DEFAULT=YES,AUTOSELECT=YES,'
        'URI="a.m3u8"',
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="sound",NAME="français",LANGUAGE="fr",DEFAULT=NO,AUTOSELECT=YES,'
        'URI="fr.m3u8"',
    ]
    assert lines[5].startswith("#EXT-X-STREAM-INF:BANDWIDTH=1000000,AVERAGE-BANDWIDTH=496000,")


def test_interpreters_of_sound_alone_stand_beside_the_variant() -> None:
    assert hls.master_playlist(video=[], audio=[AUDIO, FRENCH]).splitlines()[3:] == [
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="sound",NAME="So \'und\'",LANGUAGE="en",DEFAULT=YES,AUTOSELECT=YES',
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="sound",NAME="français",LANGUAGE="fr",DEFAULT=NO,AUTOSELECT=YES,'
        'URI="fr.m3u8"',
        '#EXT-X-STREAM-INF:BANDWIDTH=100000,AVERAGE-BANDWIDTH=96000,CODECS="mp4a.40.2",AUDIO="sound"',
        "a.m3u8",
    ]


def test_two_sounds_of_one_language_have_two_names_and_one_is_chosen_by_itself() -> None:
    floor = hls.AudioVariant("a.m3u8", "mp4a.40.2", 90_000, 80_000, name="français", language="fr")
    lines = hls.master_playlist(video=[VIDEO], audio=[floor, FRENCH]).splitlines()
    assert 'NAME="français (2)",LANGUAGE="fr",DEFAULT=NO,AUTOSELECT=NO' in lines[4]


def test_master_of_silent_pictures_names_no_audio_group() -> None:
    assert "AUDIO" not in hls.master_playlist(video=[VIDEO])


def test_media_playlist_names_byte_ranges_of_one_file() -> None:
    index = {"init": [0, 800], "segments": [[800, 5000, 6000], [5800, 400, 1480]]}
    assert hls.media_playlist(index, "/files/x?s=1").splitlines() == [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        "#EXT-X-TARGETDURATION:6",
        "#EXT-X-MEDIA-SEQUENCE:0",
        "#EXT-X-PLAYLIST-TYPE:VOD",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        '#EXT-X-MAP:URI="/files/x?s=1",BYTERANGE="800@0"',
        "#EXTINF:6.000,",
        "#EXT-X-BYTERANGE:5000@800",
        "/files/x?s=1",
        "#EXTINF:1.480,",
        "#EXT-X-BYTERANGE:400@5800",
        "/files/x?s=1",
        "#EXT-X-ENDLIST",
    ]


INDEX = {"init": [0, 800], "segments": [[800, 5000, 6000], [5800, 400, 1480]], "key_sizes": [3000, 400]}


def test_key_frame_playlist_names_the_first_picture_of_each_segment() -> None:
    assert hls.has_key_frames(INDEX)
    assert hls.iframe_playlist(INDEX, "../files/x.mp4").splitlines() == [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        "#EXT-X-TARGETDURATION:6",
        "#EXT-X-MEDIA-SEQUENCE:0",
        "#EXT-X-PLAYLIST-TYPE:VOD",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        '#EXT-X-MAP:URI="../files/x.mp4",BYTERANGE="800@0"',
        "#EXT-X-I-FRAMES-ONLY",
        "#EXTINF:6.000,",
        "#EXT-X-BYTERANGE:3000@800",
        "../files/x.mp4",
        "#EXTINF:1.480,",
        "#EXT-X-BYTERANGE:400@5800",
        "../files/x.mp4",
        "#EXT-X-ENDLIST",
    ]


def test_master_names_key_frames_behind_the_pictures() -> None:
    keys = hls.IFrameVariant("keys/360p.m3u8", "avc1.64001e", 640, 360, hls.iframe_bandwidth(INDEX))
    assert hls.master_playlist(video=[VIDEO], audio=[AUDIO], iframes=[keys]).splitlines()[-1] == (
        '#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=4000,CODECS="avc1.64001e",RESOLUTION=640x360,URI="keys/360p.m3u8"'
    )


def test_an_index_without_key_frames_has_no_playlist_of_them() -> None:
    assert not hls.has_key_frames({"init": [0, 800], "segments": [[800, 5000, 6000]]})
    assert not hls.has_key_frames(growing.begin(INDEX, "a/opening.mp4"))


def test_a_growing_playlist_goes_from_file_to_file_and_has_no_end() -> None:
    index = growing.add(
        growing.begin({**INDEX, "segments": [[800, 9, 2000]], "key_sizes": [9]}, "a/open.mp4"), 1, INDEX, "a/1.mp4"
    )
    assert "files/open.mp4" in hls.media_playlist(index, "files/open.mp4")
    lines = hls.media_playlist(growing.add(index, 0, INDEX, "a/0.mp4"), "files/open.mp4").splitlines()
    assert [line for line in lines if line.startswith("files/")] == ["files/0.mp4"] * 2 + ["files/1.mp4"] * 2
    assert lines[4:6] == ["#EXT-X-PLAYLIST-TYPE:EVENT", "#EXT-X-START:TIME-OFFSET=0,PRECISE=YES"]
    assert lines[-1] != "#EXT-X-ENDLIST"


def test_subtitle_playlist_is_one_segment_as_long_as_the_recording() -> None:
    lines = hls.subtitle_playlist(url="/t.vtt", duration_ms=77_160).splitlines()
    assert lines[2] == "#EXT-X-TARGETDURATION:78"
    assert lines[5:] == ["#EXTINF:77.160,", "/t.vtt", "#EXT-X-ENDLIST"]


def test_storyboard_track_points_at_tiles() -> None:
    facts = {
        "tile_width": 160, "tile_height": 90, "columns": 2, "count": 3, "interval_ms": 5000, "duration_ms": 12_345,
    }  # fmt: skip
    assert storyboard_vtt(facts, "/s.jpg").split("\n\n") == [
        "WEBVTT",
        "00:00:00.000 --> 00:00:05.000\n/s.jpg#xywh=0,0,160,90",
        "00:00:05.000 --> 00:00:10.000\n/s.jpg#xywh=160,0,160,90",
        "00:00:10.000 --> 00:00:12.345\n/s.jpg#xywh=0,90,160,90\n",
    ]
