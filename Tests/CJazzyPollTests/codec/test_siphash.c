/*
 * SipHash of the bytes 0, 1, 2 ... with the key of the bytes 0 to 15, for each length below 64: of SipHash-2-4 as its
 * authors publish them with the reference implementation, of SipHash-1-3 as other implementations have them.
 */
#include "codec/siphash.h"

#include "support/testing.h"

enum { LENGTHS = 64 };

static const jz_siphash_key key = {{UINT64_C(0x0706050403020100), UINT64_C(0x0F0E0D0C0B0A0908)}};

static const uint64_t of_2_4[LENGTHS] = {
    UINT64_C(0x726FDB47DD0E0E31), UINT64_C(0x74F839C593DC67FD), UINT64_C(0x0D6C8009D9A94F5A),
    UINT64_C(0x85676696D7FB7E2D), UINT64_C(0xCF2794E0277187B7), UINT64_C(0x18765564CD99A68D),
    UINT64_C(0xCBC9466E58FEE3CE), UINT64_C(0xAB0200F58B01D137), UINT64_C(0x93F5F5799A932462),
    UINT64_C(0x9E0082DF0BA9E4B0), UINT64_C(0x7A5DBBC594DDB9F3), UINT64_C(0xF4B32F46226BADA7),
    UINT64_C(0x751E8FBC860EE5FB), UINT64_C(0x14EA5627C0843D90), UINT64_C(0xF723CA908E7AF2EE),
    UINT64_C(0xA129CA6149BE45E5), UINT64_C(0x3F2ACC7F57C29BDB), UINT64_C(0x699AE9F52CBE4794),
    UINT64_C(0x4BC1B3F0968DD39C), UINT64_C(0xBB6DC91DA77961BD), UINT64_C(0xBED65CF21AA2EE98),
    UINT64_C(0xD0F2CBB02E3B67C7), UINT64_C(0x93536795E3A33E88), UINT64_C(0xA80C038CCD5CCEC8),
    UINT64_C(0xB8AD50C6F649AF94), UINT64_C(0xBCE192DE8A85B8EA), UINT64_C(0x17D835B85BBB15F3),
    UINT64_C(0x2F2E6163076BCFAD), UINT64_C(0xDE4DAAACA71DC9A5), UINT64_C(0xA6A2506687956571),
    UINT64_C(0xAD87A3535C49EF28), UINT64_C(0x32D892FAD841C342), UINT64_C(0x7127512F72F27CCE),
    UINT64_C(0xA7F32346F95978E3), UINT64_C(0x12E0B01ABB051238), UINT64_C(0x15E034D40FA197AE),
    UINT64_C(0x314DFFBE0815A3B4), UINT64_C(0x027990F029623981), UINT64_C(0xCADCD4E59EF40C4D),
    UINT64_C(0x9ABFD8766A33735C), UINT64_C(0x0E3EA96B5304A7D0), UINT64_C(0xAD0C42D6FC585992),
    UINT64_C(0x187306C89BC215A9), UINT64_C(0xD4A60ABCF3792B95), UINT64_C(0xF935451DE4F21DF2),
    UINT64_C(0xA9538F0419755787), UINT64_C(0xDB9ACDDFF56CA510), UINT64_C(0xD06C98CD5C0975EB),
    UINT64_C(0xE612A3CB9ECBA951), UINT64_C(0xC766E62CFCADAF96), UINT64_C(0xEE64435A9752FE72),
    UINT64_C(0xA192D576B245165A), UINT64_C(0x0A8787BF8ECB74B2), UINT64_C(0x81B3E73D20B49B6F),
    UINT64_C(0x7FA8220BA3B2ECEA), UINT64_C(0x245731C13CA42499), UINT64_C(0xB78DBFAF3A8D83BD),
    UINT64_C(0xEA1AD565322A1A0B), UINT64_C(0x60E61C23A3795013), UINT64_C(0x6606D7E446282B93),
    UINT64_C(0x6CA4ECB15C5F91E1), UINT64_C(0x9F626DA15C9625F3), UINT64_C(0xE51B38608EF25F57),
    UINT64_C(0x958A324CEB064572),
};

static const uint64_t of_1_3[LENGTHS] = {
    UINT64_C(0xABAC0158050FC4DC), UINT64_C(0xC9F49BF37D57CA93), UINT64_C(0x82CB9B024DC7D44D),
    UINT64_C(0x8BF80AB8E7DDF7FB), UINT64_C(0xCF75576088D38328), UINT64_C(0xDEF9D52F49533B67),
    UINT64_C(0xC50D2B50C59F22A7), UINT64_C(0xD3927D989BB11140), UINT64_C(0x369095118D299A8E),
    UINT64_C(0x25A48EB36C063DE4), UINT64_C(0x79DE85EE92FF097F), UINT64_C(0x70C118C1F94DC352),
    UINT64_C(0x78A384B157B4D9A2), UINT64_C(0x306F760C1229FFA7), UINT64_C(0x605AA111C0F95D34),
    UINT64_C(0xD320D86D2A519956), UINT64_C(0xCC4FDD1A7D908B66), UINT64_C(0x9CF2689063DBD80C),
    UINT64_C(0x8FFC389CB473E63E), UINT64_C(0xF21F9DE58D297D1C), UINT64_C(0xC0DC2F46A6CCE040),
    UINT64_C(0xB992ABFE2B45F844), UINT64_C(0x7FFE7B9BA320872E), UINT64_C(0x525A0E7FDAE6C123),
    UINT64_C(0xF464AEB267349C8C), UINT64_C(0x45CD5928705B0979), UINT64_C(0x3A3E35E3CA9913A5),
    UINT64_C(0xA91DC74E4ADE3B35), UINT64_C(0xFB0BED02EF6CD00D), UINT64_C(0x88D93CB44AB1E1F4),
    UINT64_C(0x540F11D643C5E663), UINT64_C(0x2370DD1F8C21D1BC), UINT64_C(0x81157B6C16A7B60D),
    UINT64_C(0x4D54B9E57A8FF9BF), UINT64_C(0x759F12781F2A753E), UINT64_C(0xCEA1A3BEBF186B91),
    UINT64_C(0x2CF508D3ADA26206), UINT64_C(0xB6101C2DA3C33057), UINT64_C(0xB3F47496AE3A36A1),
    UINT64_C(0x626B57547B108392), UINT64_C(0xC1D2363299E41531), UINT64_C(0x667CC1923F1AD944),
    UINT64_C(0x65704FFEC8138825), UINT64_C(0x24F280D1C28949A6), UINT64_C(0xC2CA1CEDFAF8876B),
    UINT64_C(0xC2164BFC9F042196), UINT64_C(0xA16E9C9368B1D623), UINT64_C(0x49FB169C8B5114FD),
    UINT64_C(0x9F3143F8DF074C46), UINT64_C(0xC6FDAF2412CC86B3), UINT64_C(0x7EAF49D10A52098F),
    UINT64_C(0x1CF313559D292F9A), UINT64_C(0xC44A30DDA2F41F12), UINT64_C(0x36FAE98943A71ED0),
    UINT64_C(0x318FB34C73F0BCE6), UINT64_C(0xA27ABF3670A7E980), UINT64_C(0xB4BCC0DB243C6D75),
    UINT64_C(0x23F8D852FDB71513), UINT64_C(0x8F035F4DA67D8A08), UINT64_C(0xD89CD0E5B7E8F148),
    UINT64_C(0xF6F4E6BCF7A644EE), UINT64_C(0xAEC59AD80F1837F2), UINT64_C(0xC3B2F6154B6694E0),
    UINT64_C(0x9D199062B7BBB3A8),
};

typedef uint64_t (*variant)(const jz_siphash_key *key, const void *bytes, size_t length);

static void expect(variant hash, const uint64_t expected[LENGTHS], const char *name)
{
    /* At every alignment, and with nothing behind the bytes that the sanitizers would not see read. */
    for (size_t length = 0; length < LENGTHS; length++) {
        for (size_t offset = 0; offset < 8; offset++) {
            uint8_t *bytes = malloc(1 + offset + length);
            assert_non_null(bytes);
            uint8_t *start = bytes + 1 + offset;
            for (size_t i = 0; i < length; i++)
                start[i] = (uint8_t)i;
            uint64_t result = hash(&key, start, length);
            free(bytes);
            assert_that(result == expected[length], "%s of %zu bytes", name, length);
        }
    }
}

static void the_vectors_of_the_reference_are_met(void **state)
{
    (void)state;
    expect(jz_siphash_2_4, of_2_4, "SipHash-2-4");
    expect(jz_siphash, of_1_3, "SipHash-1-3");
}

static void every_bit_of_the_key_and_of_the_bytes_counts(void **state)
{
    (void)state;
    uint8_t bytes[11] = "some topic";
    uint64_t before = jz_siphash(&key, bytes, sizeof bytes);
    for (size_t bit = 0; bit < 8 * sizeof bytes; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_not_equal(jz_siphash(&key, bytes, sizeof bytes), before);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t bit = 0; bit < 128; bit++) {
        jz_siphash_key other = key;
        other.words[bit / 64] ^= UINT64_C(1) << bit % 64;
        assert_int_not_equal(jz_siphash(&other, bytes, sizeof bytes), before);
    }
}

static void no_bytes_need_not_be_anywhere(void **state)
{
    (void)state;
    assert_true(jz_siphash(&key, NULL, 0) == of_1_3[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vectors_of_the_reference_are_met),
        cmocka_unit_test(every_bit_of_the_key_and_of_the_bytes_counts),
        cmocka_unit_test(no_bytes_need_not_be_anywhere),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("siphash", tests, NULL, NULL));
}
