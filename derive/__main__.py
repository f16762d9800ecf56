"""`python -m derive` does what `derive` does."""

from derive.launch import main

if __name__ == "__main__":
    main()
