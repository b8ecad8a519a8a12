"""What stands under the plots and tables: how they were made, so that a reader can judge them."""

from __future__ import annotations

PLOT = (
    "Above: mean over all pictures against the geometric mean of the files' own sizes, headers "
    "included; the grey band is the middle half of the pictures for tokcodec. A point is drawn "
    "only where every picture fits. Below: each codec less tokcodec on the same picture at the "
    "same byte limit, mean and middle half; bytes that a codec leaves unused are its own loss. "
    "Better is up everywhere."
)
CHOICE = (
    "Every classical codec shows the best file that fits, over quality and down-scaling: chosen by "
    "PSNR for PSNR, MS-SSIM and SSIMULACRA2, by LPIPS-Alex for LPIPS and DISTS (on LPIPS-Alex it "
    "was picked by the very number it is judged by). tokcodec has one stream for a limit and "
    "chooses nothing. Dashed lines and “full size”: without down-scaling, best by PSNR."
)
MEANS = (
    "– 15/24: fits 15 of the 24 pictures, so there is no mean; –: fits none; =: the same files as "
    "in the column before; ?: not measured on all pictures. Bold: best at that limit."
)
NEEDED = (
    "Picture by picture between measured points, linear in log2 of the bytes, never extrapolated; "
    "the median over all pictures. Where that falls outside what was measured, a bound is given: "
    "< (its smallest file is better already), > (not within the largest limit), a–b (nothing fits "
    "a bytes; its smallest file, of b, is better already). 20/24: known for 20 of the 24 pictures. "
    "– 15/24: the reference fits only 15 pictures. =: the same files as in the column before. ?: "
    "not measured, the reference on some picture or the other at all."
)
BD_RATE = (
    "Bytes at equal fidelity, averaged over the range that both codecs reach on a picture "
    "(piecewise cubic, at least three points each, ranges that overlap by a quarter or more), then "
    "over the pictures as ratios; 20/24: 20 of 24 pictures have such a range. –: none has; ?: not "
    "measured."
)
SHEET = (
    "Classical codecs at their highest PSNR; what LPIPS-Alex chooses looks no better, for JPEG "
    "worse. Of the pictures, unless named, those on which tokcodec stands worst, in the middle and "
    "best by the bytes that its PSNR costs the others. No tile is enlarged or made smaller."
)
WORST = (
    "The pictures of highest LPIPS-Alex at that size, by the default decoder, worst first, and "
    "what the others draw of the same bytes."
)
PUBLISHED = (
    "As their authors or others published them, for orientation only: other pictures, other "
    "programs, tokens times bits without header or entropy coding, LPIPS of a network that is "
    "seldom named. They are in no plot, as PSNR of ImageNet's pictures beside that of ours would "
    "be taken for a comparison. Several lines for one model differ because they were measured by "
    "different people."
)
