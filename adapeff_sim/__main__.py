"""``python -m adapeff_sim`` is ``adapeff-sim``."""

from adapeff_sim.cli.app import main

if __name__ == "__main__":
    main()
