"""How likely is the next digit? Integers only: what both ends compute must be equal on every
machine.
"""

from tokcodec.model import NETWORK
from tokcodec.prior.context import Contexts
from tokcodec.prior.interface import Prior
from tokcodec.prior.network import Network
from tokcodec.tokens.knowledge import Knowledge


def prior_for(known: Knowledge) -> Prior:
    """The prior of the model whose tokens `known` collects, looking at what is known."""
    return Network(known) if known.order.model.prior == NETWORK else Contexts(known)
